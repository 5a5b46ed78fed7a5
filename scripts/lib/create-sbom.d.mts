import type { Closure } from './production-closure.mjs';

export function createSbom(service: string, closure: Closure, folders: ReadonlyMap<string, string>): string;
