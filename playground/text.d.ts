/** Texts that the build takes in. */
declare module "*.dlx" {
  const text: string;
  export default text;
}
declare module "*.md" {
  const text: string;
  export default text;
}
