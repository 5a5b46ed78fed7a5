import { encodeName, fixed, type SqlRunner } from './sql-client.js';
import { sqlErrorKind } from './translate-error.js';

const FIND = fixed('SELECT messageBoxId FROM messageBox WHERE identityKey = ? AND type = ?');
const CREATE = fixed('INSERT INTO messageBox (identityKey, type) VALUES (?, ?)');
const DEFAULT_CAPACITY = 20_000;
const MAX_ATTEMPTS = 5;

/**
 * Finds and creates boxes, and remembers their row ids, so that a send to a known box needs no look-up. Row ids are
 * never used twice; a remembered box that has been deleted shows as a broken foreign key, and is then forgotten.
 */
export class BoxIds {
  private readonly known = new Map<string, number>();
  private readonly underWay = new Map<string, Promise<number>>();

  constructor(
    private readonly sql: SqlRunner,
    private readonly capacity = DEFAULT_CAPACITY,
  ) {}

  /** The box's row id when it is remembered. */
  recall(owner: string, box: string): number | undefined {
    const key = keyOf(owner, box);
    const id = this.known.get(key);
    if (id !== undefined) {
      this.known.delete(key);
      this.known.set(key, id);
    }
    return id;
  }

  /** The box's row id, of a new row when there is none. Callers that ask for one box at the same time share a look-up. */
  findOrCreate(owner: string, box: string): Promise<number> {
    const key = keyOf(owner, box);
    let pending = this.underWay.get(key);
    if (!pending) {
      pending = this.ask(owner, box)
        .then((id) => this.remember(key, id))
        .finally(() => this.underWay.delete(key));
      this.underWay.set(key, pending);
    }
    return pending;
  }

  forget(owner: string, box: string): void {
    this.known.delete(keyOf(owner, box));
  }

  private async ask(owner: string, box: string): Promise<number> {
    const names = [encodeName(owner), encodeName(box)];
    for (let attempt = 1; ; attempt++) {
      const [row] = await this.sql.read(FIND, names);
      if (row) return Number(row['messageBoxId']);
      try {
        return (await this.sql.write(CREATE, names)).insertId;
      } catch (error) {
        // Somebody else was faster, and its row is committed: the next look finds it.
        if (sqlErrorKind(error) !== 'duplicate' || attempt >= MAX_ATTEMPTS) throw error;
      }
    }
  }

  private remember(key: string, id: number): number {
    this.known.set(key, id);
    if (this.known.size > this.capacity) {
      const oldest = this.known.keys().next();
      if (!oldest.done) this.known.delete(oldest.value);
    }
    return id;
  }
}

/** Both parts are free text, so the first one's length keeps `('ab', 'c')` and `('a', 'bc')` apart. */
function keyOf(owner: string, box: string): string {
  return `${owner.length}:${owner}${box}`;
}
