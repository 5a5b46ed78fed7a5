import type { Attack } from './attack.ts';

/** The control: what the judge says of it is what the machine does to the numbers. */
export const none: Attack = {
  name: 'none',
  does: 'nothing; shows that the judge judges the server and not the machine',
  shapes: [{ addresses: 1, identities: 0 }],
  async run(context) {
    await context.begin();
    await context.waitUntilOver();
  },
};
