/**
 * Packs the extension: node editors/vscode/pack.mjs [FILE.vsix]. A `.vsix` is a zip with the extension in `extension/`
 * and two files that say what it is. Run `npm install --omit=dev` in `editors/vscode` first: the client travels along.
 */
import { zipSync } from "fflate";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const left = new Set(["pack.mjs", "package-lock.json", ".package-lock.json"]);

/** The archive as bytes. */
export function pack(folder = here) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const entries = {
    "[Content_Types].xml": encode(contentTypes(folder)),
    "extension.vsixmanifest": encode(vsixManifest(manifest)),
  };
  for (const path of filesIn(folder)) entries[`extension/${relative(folder, path)}`] = readFileSync(path);
  entries["extension/LICENSE"] = readFileSync(join(here, "../../LICENSE"));
  // A fixed time: the same files give the same archive.
  return zipSync(entries, { mtime: new Date(2026, 0, 1) });
}

function filesIn(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !left.has(name) && name !== ".bin" && !name.endsWith(".vsix"))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesIn(path);
      return entry.isFile() ? [path] : [];
    })
    .sort();
}

function contentTypes(folder) {
  const endings = new Set(filesIn(folder).map((path) => /\.([^./\\]+)$/.exec(path)?.[1] ?? "txt"));
  const known = { json: "application/json", js: "application/javascript", md: "text/markdown" };
  const rows = [...endings, "vsixmanifest"].map(
    (e) =>
      `  <Default Extension="${escaped(e)}" ContentType="${e === "vsixmanifest" ? "text/xml" : (known[e] ?? "application/octet-stream")}"/>`,
  );
  const license = '  <Override PartName="/extension/LICENSE" ContentType="text/plain"/>';
  return `<?xml version="1.0" encoding="utf-8"?>\n<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\n${[...rows, license].join("\n")}\n</Types>\n`;
}

function vsixManifest({ name, displayName, description, version, publisher, engines, categories }) {
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${escaped(name)}" Version="${escaped(version)}" Publisher="${escaped(publisher)}"/>
    <DisplayName>${escaped(displayName)}</DisplayName>
    <Description xml:space="preserve">${escaped(description)}</Description>
    <Categories>${escaped(categories.join(","))}</Categories>
    <License>extension/LICENSE</License>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${escaped(engines.vscode)}"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
  </Assets>
</PackageManifest>
`;
}

const encode = (text) => new TextEncoder().encode(text);
const escaped = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { version } = JSON.parse(readFileSync(join(here, "package.json"), "utf8"));
  const file = process.argv[2] ?? `dlx-${version}.vsix`;
  writeFileSync(file, pack());
  console.log(file);
}
