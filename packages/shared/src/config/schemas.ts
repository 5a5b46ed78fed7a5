import { z } from 'zod';

/** A whole number within bounds. */
export const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((n) => n >= least && n <= most, `must be from ${least} to ${most}`);

/** A bound on what is stored; 0 for none. */
export const quota = whole(0, Number.MAX_SAFE_INTEGER).transform((most) =>
  most === 0 ? Number.POSITIVE_INFINITY : most,
);

const LONGEST_WINDOW_SECONDS = 86_400;

/** So many in so many whole seconds, such as `3000/3s`: all of them may come at once. */
export const rate = z
  .string()
  .regex(/^[1-9]\d{0,14}\/[1-9]\d{0,4}s$/, 'must be a number in a number of seconds, such as 3000/3s')
  .transform((text) => {
    const [count = 0, seconds = 0] = text.split('/').map((part) => Number.parseInt(part, 10));
    return { count, seconds };
  })
  .refine(({ seconds }) => seconds <= LONGEST_WINDOW_SECONDS, `must be within ${LONGEST_WINDOW_SECONDS} seconds`);
