/** A package that a manifest of the workspace names. */
export interface DirectDependency {
  /** As the manifests have it. */
  readonly versions: ReadonlySet<string>;
  /** Members of the workspace that need it in production. */
  readonly production: ReadonlySet<string>;
  /** Members that need it for development only. */
  readonly development: ReadonlySet<string>;
}

export function readDependencyReasons(): Record<string, string>;
export function findDirectDependencies(): Map<string, DirectDependency>;
export function withDependencyTables(text: string): string;
