import { FramePace, MIN_FRAME_BYTES_PER_SECOND } from '../src/socket/frame-pace.ts';
import { ManualClock } from './support/manual-clock.ts';

/** A frame that has begun comes to an end, or its connection does. */
let clock: ManualClock;
let tooSlow: jest.Mock;
let pace: FramePace;
beforeEach(() => {
  clock = new ManualClock();
  tooSlow = jest.fn();
  pace = new FramePace(clock, tooSlow);
});

/** Lets a frame come at this pace. */
function come(bytesPerSecond: number, seconds: number): void {
  for (let second = 1; second <= seconds; second++) {
    pace.receiving(second * bytesPerSecond);
    clock.advance(1_000);
  }
}

test('a frame that stands still is too slow after a minute and a look', () => {
  pace.receiving(1_000);
  clock.advance(60_000);
  expect(tooSlow).not.toHaveBeenCalled();
  clock.advance(15_000);
  expect(tooSlow).toHaveBeenCalledTimes(1);
  expect(clock.pending).toBe(0);
});

test('a large frame at a steady slow pace may take its time', () => {
  come(MIN_FRAME_BYTES_PER_SECOND, 3_000);
  expect(tooSlow).not.toHaveBeenCalled();
});

test('a frame that stops after a good start is too slow in the end', () => {
  come(100_000, 10);
  clock.advance(240_000);
  expect(tooSlow).not.toHaveBeenCalled();
  clock.advance(120_000);
  expect(tooSlow).toHaveBeenCalledTimes(1);
});

test('a frame that ends is watched no more, and small ones one after the other are not slow', () => {
  for (let i = 0; i < 1_000; i++) {
    pace.receiving(100);
    clock.advance(1_000);
    pace.receiving(10);
    clock.advance(1_000);
  }
  expect(tooSlow).not.toHaveBeenCalled();
  pace.receiving(0);
  expect(clock.pending).toBe(0);
});
