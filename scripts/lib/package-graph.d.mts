export const FLOORS: readonly (readonly string[])[];
export function listMembers(): string[];
export function readImports(member: string): Map<string, string[]>;
export function readPackageGraph(): Map<string, Set<string>>;
export function renderPackageGraph(graph: Map<string, Set<string>>): string;
export function withPackageGraph(text: string): string;
