import { EmptyState } from '../../ui/empty-state.js';
import type { Explanation, StepBytes } from '../explain/steps.js';
import { HexView } from './hex-view.js';

/** All bytes that the steps talk about, with their parts named. */
export function BytesTab({ explanation }: { readonly explanation: Explanation }) {
  const all = withoutRepeats(explanation.steps.flatMap((step) => step.bytes ?? []));
  if (all.length === 0) {
    return (
      <EmptyState title="No bytes to explain">
        <p>Nothing in this record is signed or encrypted. The tab “Raw” shows it as it is.</p>
      </EmptyState>
    );
  }
  return (
    <div class="stack">
      {all.map(({ title, content }) => (
        <section key={title} aria-label={title}>
          <h3>{title}</h3>
          <HexView content={content} title={title} />
        </section>
      ))}
    </div>
  );
}

/** A step shows the bytes that are written, and the next one those that are signed: the same. */
function withoutRepeats(all: readonly StepBytes[]): StepBytes[] {
  return [...new Map(all.map((bytes) => [bytes.content, bytes])).values()];
}
