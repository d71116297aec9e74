/** Files in the browser's database, by name. What it cannot keep is said by whoever asked. */

export interface ByteStore {
  all(): Promise<ReadonlyMap<string, Uint8Array>>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
}

const FILES = "files";

export function browserBytes(): ByteStore {
  let opened: Promise<IDBDatabase> | undefined;
  const database = (): Promise<IDBDatabase> => {
    const request = indexedDB.open("dlx", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(FILES);
    return answerOf(request);
  };
  const store = async (mode: IDBTransactionMode): Promise<IDBObjectStore> => {
    opened ??= database();
    return (await opened).transaction(FILES, mode).objectStore(FILES);
  };
  return {
    all: async () => {
      const files = await store("readonly");
      const [names, bytes] = await Promise.all([answerOf(files.getAllKeys()), answerOf(files.getAll())]);
      return new Map(names.map((name, i) => [String(name), bytes[i] as Uint8Array]));
    },
    put: async (name, bytes) => done(await store("readwrite"), (files) => files.put(bytes, name)),
    remove: async (name) => done(await store("readwrite"), (files) => files.delete(name)),
  };
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((found, failed) => {
    request.onsuccess = () => found(request.result);
    request.onerror = () => failed(request.error ?? new Error("expected an answer of the database, got none"));
  });
}

/** When it is on the disk: a full disk is only met at the end of the transaction. */
function done(files: IDBObjectStore, act: (files: IDBObjectStore) => void): Promise<void> {
  return new Promise((kept, failed) => {
    const { transaction } = files;
    transaction.oncomplete = () => kept();
    transaction.onabort = () =>
      failed(transaction.error ?? new Error("expected a kept file, got an aborted transaction"));
    act(files);
  });
}
