/**
 * The file that `dlx playground FILE` was started with: read and saved through its server, which asks for the token, and
 * for what the file was like when it was last seen from here.
 */

export interface DiskFile {
  read(): Promise<{ readonly file: string; readonly text: string } | { readonly reason: string }>;
  /** Undefined when it is saved; `text`: what another program has written to it, unless it is to be replaced anyway. */
  save(text: string, anyway?: boolean): Promise<undefined | { readonly reason: string } | { readonly text: string }>;
}

interface Sent {
  readonly file: string;
  readonly text: string;
  readonly state: string;
}

export function diskFile(hash: string): DiskFile | undefined {
  const token = /^#token=([A-Za-z0-9_-]+)$/.exec(hash)?.[1];
  if (token === undefined) return undefined;
  let state = "";
  const ask = async (init: RequestInit): Promise<Response | { readonly reason: string }> => {
    try {
      const headers = { "X-Dlx-Token": token, "X-Dlx-State": state, ...init.headers };
      const response = await fetch("./file", { ...init, headers });
      return response.ok || response.status === 409 ? response : { reason: await response.text() };
    } catch {
      return { reason: "dlx playground does not run any more" };
    }
  };
  return {
    read: async () => {
      const response = await ask({});
      if ("reason" in response) return response;
      const sent = (await response.json()) as Sent;
      ({ state } = sent);
      return sent;
    },
    save: async (text, anyway = false) => {
      const response = await ask({ method: "PUT", body: text, headers: anyway ? { "X-Dlx-State": "any" } : {} });
      if ("reason" in response) return response;
      const sent = (await response.json()) as Sent;
      if (response.status === 409) return { text: sent.text };
      ({ state } = sent);
      return undefined;
    },
  };
}
