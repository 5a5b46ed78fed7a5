/** The seed of all random tests. Set BRC103_SEED to run them with another one. */
export const SEED = Number(process.env['BRC103_SEED'] ?? 20260117);

/** A small deterministic generator of test data (mulberry32). It is not for keys or nonces in production. */
export class SeededRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** Returns a number from 0 to below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Returns an integer from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** Returns `length` random characters of `alphabet`. */
  text(alphabet: string, length: number): string {
    const characters = [...alphabet];
    return Array.from({ length }, () => characters[this.below(characters.length)]).join('');
  }
}
