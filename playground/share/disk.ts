/** The file that `dlx playground FILE` was started with: read and saved through its server, which asks for the token. */

export interface DiskFile {
  read(): Promise<{ readonly file: string; readonly text: string } | { readonly reason: string }>;
  /** Undefined when it is saved, else why not. */
  save(text: string): Promise<string | undefined>;
}

export function diskFile(hash: string): DiskFile | undefined {
  const token = /^#token=([A-Za-z0-9_-]+)$/.exec(hash)?.[1];
  if (token === undefined) return undefined;
  const ask = async (init: RequestInit): Promise<Response | string> => {
    try {
      const response = await fetch("./file", { ...init, headers: { "X-Dlx-Token": token } });
      return response.ok ? response : await response.text();
    } catch {
      return "dlx playground does not run any more";
    }
  };
  return {
    read: async () => {
      const response = await ask({});
      return typeof response === "string" ? { reason: response } : await response.json();
    },
    save: async (text) => {
      const response = await ask({ method: "PUT", body: text });
      return typeof response === "string" ? `not saved to the file: ${response}` : undefined;
    },
  };
}
