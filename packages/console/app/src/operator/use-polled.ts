import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';

const INTERVAL_MS = 5_000;

/** What was read last, and what was wrong with the last try. */
export interface Polled<T> {
  /** Stays while later reads fail. */
  readonly value: T | undefined;
  readonly problem: Explanation | undefined;
  /** Reads now. */
  readonly refresh: () => Promise<void>;
}

/**
 * Reads again each 5 s, while the page is visible. Reads do not overlap.
 *
 * @param read must be the same function as long as it reads the same
 */
export function usePolled<T>(read: () => Promise<T>): Polled<T> {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState<Explanation>();
  const latest = useRef(read);
  latest.current = read;
  const refresh = useCallback(async () => {
    try {
      const found = await read();
      if (latest.current !== read) return;
      setValue(found);
      setProblem(undefined);
    } catch (error) {
      if (latest.current === read) setProblem(explainError(error));
    }
  }, [read]);
  useEffect(() => {
    let isActive = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isReading = false;
    setValue(undefined);
    setProblem(undefined);
    const tick = async () => {
      clearTimeout(timer);
      if (isReading || document.hidden) return;
      isReading = true;
      await refresh();
      isReading = false;
      if (isActive) timer = setTimeout(tick, INTERVAL_MS);
    };
    document.addEventListener('visibilitychange', tick);
    void tick();
    return () => {
      isActive = false;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', tick);
    };
  }, [refresh]);
  return { value, problem, refresh };
}
