import type { Closure } from './production-closure.mjs';

export function findInstalledPackages(closure: Closure): Map<string, string>;
export function measurePackage(folder: string): number;
