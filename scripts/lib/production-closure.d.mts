/** What this project reads of pnpm-lock.yaml. */
export interface LockFile {
  readonly importers: Readonly<Record<string, Importer>>;
  readonly packages: Readonly<Record<string, LockedPackage>>;
  readonly snapshots: Readonly<Record<string, Snapshot>>;
}

interface Importer {
  readonly dependencies?: Readonly<Record<string, { readonly version: string }>>;
  readonly optionalDependencies?: Readonly<Record<string, { readonly version: string }>>;
}

/** A package as the registry has it. `os`, `cpu` and `libc` say what it is for. */
export interface LockedPackage {
  readonly resolution: { readonly integrity: string };
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export interface Snapshot {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Packages that images leave out: a pattern for the whole name, the images, and the reason. */
export type LeftOut = readonly {
  readonly matches: string;
  readonly images: readonly string[];
  readonly because: string;
}[];

/** A dependency by the name under which it is required: a folder of the workspace, or the key of a package. */
export type Link = { readonly name: string } & ({ readonly member: string } | { readonly package: string });

export interface ProductionPackage {
  readonly name: string;
  readonly version: string;
  /** A digest in the form of Subresource Integrity, such as `sha512-…`. */
  readonly integrity: string;
  readonly links: readonly Link[];
}

export interface Closure {
  /** Folders of the workspace, the service first, with what each depends on. */
  readonly members: ReadonlyMap<string, readonly Link[]>;
  /** By their keys, which contain their peers. */
  readonly packages: ReadonlyMap<string, ProductionPackage>;
}

export const SERVICES: readonly ['api', 'realtime', 'overlay', 'standalone'];
export function readLockFile(): LockFile;
export function readLeftOut(): LeftOut;
export function findProductionClosure(lock: LockFile, leftOut: LeftOut, service: string): Closure;
