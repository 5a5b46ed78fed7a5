import type { Explanation } from '../api/explain-error.js';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';

export interface ProblemNoticeProps {
  readonly problem: Explanation | undefined;
  readonly onRetry: () => unknown;
}

/** Why a part of the page is not as of now. */
export function ProblemNotice({ problem, onRetry }: ProblemNoticeProps) {
  if (problem === undefined) return null;
  return (
    <Notice tone="danger" title={problem.title}>
      <p>{problem.advice}</p>
      <Button size="small" onClick={onRetry}>
        Try again
      </Button>
    </Notice>
  );
}
