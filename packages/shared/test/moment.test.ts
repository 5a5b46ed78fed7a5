import { earlier, Moment } from '../src/redis/moment.js';

describe('a moment', () => {
  afterEach(() => void jest.restoreAllMocks());

  /** Both clocks show 1,000,000 at first. */
  const setClocks = () => {
    const wall = jest.spyOn(Date, 'now').mockReturnValue(1_000_000);
    const steady = jest.spyOn(performance, 'now').mockReturnValue(1_000_000);
    return { wall, steady };
  };

  test('has an age and a time', () => {
    const { wall, steady } = setClocks();
    const moment = new Moment();
    wall.mockReturnValue(1_000_700);
    steady.mockReturnValue(1_000_699.5);
    expect([moment.ageMs, moment.time]).toEqual([700, 1_000_000]);
  });

  test('is as old as it is when the clock of the system was set back', () => {
    const { wall, steady } = setClocks();
    const moment = new Moment();
    wall.mockReturnValue(400_000);
    steady.mockReturnValue(1_000_500);
    // By the clock as it is now, so that it can be compared with other times of now.
    expect([moment.ageMs, moment.time]).toEqual([500, 399_500]);
  });

  test('is as old as it is when the machine was suspended', () => {
    const { wall } = setClocks();
    const moment = new Moment();
    wall.mockReturnValue(1_900_000);
    expect(moment.ageMs).toBe(900_000);
  });

  test('is compared with others in whatever way the clock of the system was changed', () => {
    const { wall, steady } = setClocks();
    const first = new Moment();
    wall.mockReturnValue(1);
    steady.mockReturnValue(1_000_001);
    const second = new Moment();
    expect([first.isBefore(second), second.isBefore(first)]).toEqual([true, false]);
    expect(earlier(first, second)).toBe(first);
    expect(earlier(second, first)).toBe(first);
    expect(earlier(undefined, second)).toBe(second);
  });
});
