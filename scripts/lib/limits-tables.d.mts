import type { DescribedLimit } from '../../packages/shared/src/config/describe-limit.js';

/** Returns the text of docs/limits.md with up-to-date tables: the part between its two marks is replaced. */
export function withLimitTables(text: string, limits: readonly DescribedLimit[]): string;
