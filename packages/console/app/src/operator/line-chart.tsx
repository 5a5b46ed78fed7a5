import { formatTime } from '../ui/format.js';

/** One point of a chart. Null: nothing is known of that time. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number | null;
}

export interface LineChartProps {
  readonly title: string;
  readonly points: readonly Point[];
  readonly format: (value: number) => string;
  /** The value of now, where it is not that of the last point. */
  readonly now?: number | null;
  /** A line of text below. */
  readonly note?: string;
}

const [WIDTH, HEIGHT] = [300, 72];

/** The course of one value, with its present value and its highest one as text. */
export function LineChart({ title, points, format, now, note }: LineChartProps) {
  const known = points.flatMap(({ value }) => (value === null ? [] : [value]));
  const highest = Math.max(0, ...known);
  const current = now === undefined ? (points.at(-1)?.value ?? null) : now;
  const currentText = current === null ? '–' : format(current);
  const [first, last] = [points[0]?.at ?? 0, points.at(-1)?.at ?? 0];
  const summary =
    known.length === 0
      ? `${title}: nothing is known yet.`
      : `${title}: ${currentText} now, at most ${format(highest)} since ${formatTime(first)}.`;
  return (
    <section class="card chart" aria-label={title}>
      <div class="chart-head">
        <h3>{title}</h3>
        <span class="chart-now">{currentText}</span>
      </div>
      <svg class="chart-plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img">
        <title>{summary}</title>
        <line class="chart-grid" x1="0" y1="1" x2={WIDTH} y2="1" />
        <line class="chart-grid" x1="0" y1={HEIGHT - 1} x2={WIDTH} y2={HEIGHT - 1} />
        {splitAtGaps(points).map((run) => {
          const place = ({ at, value }: { at: number; value: number }) => {
            const x = last === first ? WIDTH : ((at - first) / (last - first)) * WIDTH;
            return `${x.toFixed(1)},${(HEIGHT - 1 - (highest === 0 ? 0 : value / highest) * (HEIGHT - 6)).toFixed(1)}`;
          };
          // A line from a point to itself is a dot.
          const line = (run.length === 1 ? [...run, ...run] : run).map(place).join(' L');
          const [begin, end] = [place(run[0] as PlacedPoint), place(run.at(-1) as PlacedPoint)]; // a run has points
          const toBottom = (point: string) => `${point.split(',')[0]},${HEIGHT - 1}`;
          return (
            <g key={run[0]?.at}>
              <path class="chart-area" d={`M${toBottom(begin)} L${line} L${toBottom(end)} Z`} />
              <path class="chart-line" d={`M${line}`} />
            </g>
          );
        })}
      </svg>
      <div class="chart-foot">
        <span>{first === 0 ? 'no data yet' : formatTime(first)}</span>
        <span>{known.length === 0 ? 'nothing in this time' : `highest ${format(highest)}`}</span>
      </div>
      {note !== undefined && <p class="quiet small">{note}</p>}
    </section>
  );
}

type PlacedPoint = { readonly at: number; readonly value: number };

function splitAtGaps(points: readonly Point[]): PlacedPoint[][] {
  const runs: PlacedPoint[][] = [];
  let run: PlacedPoint[] | undefined;
  for (const { at, value } of points) {
    if (value === null) {
      run = undefined;
      continue;
    }
    if (run === undefined) {
      run = [];
      runs.push(run);
    }
    run.push({ at, value });
  }
  return runs;
}
