import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory of V8's old generation, in bytes. */
export interface HeapUse {
  /** Taken from the system. */
  readonly held: number;
  /** In objects; the rest are gaps between them. */
  readonly used: number;
}

export interface HeapCollectorOptions {
  /** Collects all garbage, moving objects together when `compact` is set. Default: V8's collector. */
  readonly collect?: (compact: boolean) => void;
  /** Default: V8's statistics. */
  readonly readUse?: () => HeapUse;
  /** Resident memory of the process. Default: the system's value. */
  readonly residentBytes?: () => number;
  /** Memory that the process may have. Default: the limit of its container, or of the system. */
  readonly limitBytes?: () => number;
}

/** Smaller gaps are filled by objects to come. */
const MIN_GAPS = { bytes: 33_554_432, shareOfUsed: 0.15 };
/** While objects are moved, they are in memory twice. */
const MAX_SHARE_OF_LIMIT = 0.8;

/**
 * Returns a function that collects all garbage, and may be told not to move objects. After a rush, such as ten thousand clients
 * that connect, the objects that stay lie scattered over pages that V8 cannot give back: a third of the memory. Then a second
 * collection moves them together, if there is memory for that. It takes two to three times as long as the first: a fifth of a second with some thousand clients.
 */
export function createHeapCollector(options: HeapCollectorOptions = {}): (mayCompact?: boolean) => void {
  const {
    collect = exposeCollector(),
    readUse = readOldGeneration,
    residentBytes = () => process.memoryUsage.rss(),
    limitBytes = () => process.constrainedMemory(),
  } = options;
  return (mayCompact = true) => {
    collect(false);
    if (!mayCompact) return;
    const { held, used } = readUse();
    const gaps = held - used;
    if (gaps < MIN_GAPS.bytes || gaps < used * MIN_GAPS.shareOfUsed) return;
    // 0 when the system does not tell.
    const limit = limitBytes() || Number.POSITIVE_INFINITY;
    if (residentBytes() + used <= limit * MAX_SHARE_OF_LIMIT) collect(true);
  };
}

function readOldGeneration(): HeapUse {
  const old = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'old_space');
  return { held: old?.physical_space_size ?? 0, used: old?.space_used_size ?? 0 };
}

/** Gets V8's `gc()` without `--expose-gc` at the start: a context that is created while the flag is set has the function. */
function exposeCollector(): (compact: boolean) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  return (compact) => {
    if (!compact) return collect();
    setFlagsFromString('--compact-on-every-full-gc');
    try {
      collect();
    } finally {
      setFlagsFromString('--no-compact-on-every-full-gc');
    }
  };
}
