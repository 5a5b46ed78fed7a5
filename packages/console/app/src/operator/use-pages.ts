import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import type { Page } from './operator-api.js';

/** A list that is read page by page. */
export interface Pages<T> {
  /** Undefined before the first page. */
  readonly items: readonly T[] | undefined;
  readonly countedAt: string | null | undefined;
  readonly hasMore: boolean;
  readonly problem: Explanation | undefined;
  readonly isReading: boolean;
  /** Reads the next page. */
  readonly readMore: () => Promise<void>;
  /** Begins again. */
  readonly restart: () => Promise<void>;
}

/** @param read must be the same function as long as it reads the same list */
export function usePages<T>(read: (after?: string) => Promise<Page<T>>): Pages<T> {
  const [pages, setPages] = useState<Page<T>>();
  const [problem, setProblem] = useState<Explanation>();
  const [isReading, setIsReading] = useState(false);
  const load = useCallback(
    async (before: Page<T> | undefined) => {
      setIsReading(true);
      try {
        const page = await read(before?.next ?? undefined);
        setPages({ ...page, items: [...(before?.items ?? []), ...page.items] });
        setProblem(undefined);
      } catch (error) {
        setProblem(explainError(error));
      } finally {
        setIsReading(false);
      }
    },
    [read],
  );
  useEffect(() => {
    setPages(undefined);
    void load(undefined);
  }, [load]);
  return {
    items: pages?.items,
    countedAt: pages?.countedAt,
    hasMore: pages !== undefined && pages.next !== null,
    problem,
    isReading,
    readMore: () => load(pages),
    restart: () => load(undefined),
  };
}
