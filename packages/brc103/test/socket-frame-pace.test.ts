import { MIN_FRAME_BYTES_PER_SECOND, SlowFrameDetector } from '../src/socket/slow-frame-detector.ts';
import { ManualClock } from './support/manual-clock.ts';

let clock: ManualClock;
let tooSlow: jest.Mock;
let pace: SlowFrameDetector;
beforeEach(() => {
  clock = new ManualClock();
  tooSlow = jest.fn();
  pace = new SlowFrameDetector(clock, tooSlow);
});

/** Lets a frame arrive at this pace. */
function come(bytesPerSecond: number, seconds: number): void {
  for (let second = 1; second <= seconds; second++) {
    pace.onFrameBytes(second * bytesPerSecond);
    clock.advance(1_000);
  }
}

test('a frame that makes no progress is too slow at the check after a minute', () => {
  pace.onFrameBytes(1_000);
  clock.advance(60_000);
  expect(tooSlow).not.toHaveBeenCalled();
  clock.advance(15_000);
  expect(tooSlow).toHaveBeenCalledTimes(1);
  expect(clock.pending).toBe(0);
});

test('a large frame at a slow and steady pace is not too slow', () => {
  come(MIN_FRAME_BYTES_PER_SECOND, 3_000);
  expect(tooSlow).not.toHaveBeenCalled();
});

test('a frame that stops after a fast start is too slow in the end', () => {
  come(100_000, 10);
  clock.advance(240_000);
  expect(tooSlow).not.toHaveBeenCalled();
  clock.advance(120_000);
  expect(tooSlow).toHaveBeenCalledTimes(1);
});

test('a frame is not observed after its end, and small frames in sequence are not too slow', () => {
  for (let i = 0; i < 1_000; i++) {
    pace.onFrameBytes(100);
    clock.advance(1_000);
    pace.onFrameBytes(10);
    clock.advance(1_000);
  }
  expect(tooSlow).not.toHaveBeenCalled();
  pace.onFrameBytes(0);
  expect(clock.pending).toBe(0);
});
