import type { DescribedLimit } from '../../packages/shared/src/config/limit-variables.js';

/** The text of docs/limits.md with its tables brought up to date: what is between its two marks is replaced. */
export function withLimitTables(text: string, limits: readonly DescribedLimit[]): string;
