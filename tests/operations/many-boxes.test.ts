import { withDatabase } from '../acceptance/database.js';
import { type Deployment, deployScaled, deployStandalone, useDeployment } from '../acceptance/deployments.js';
import { describeScaled } from '../acceptance/describe-scaled.js';
import { createPeople } from '../acceptance/people.js';

const BOXES = 10_000;
const ROWS_PER_STATEMENT = 250;

/** An identity with very many boxes. */
function manyBoxesSuite(deploy: () => Promise<Deployment>): void {
  const at = useDeployment(() => deploy());
  const someone = createPeople();

  test('10,000 boxes come in pages of at most 1,000, each once', async () => {
    const bob = someone();
    const names = Array.from({ length: BOXES }, (_, n) => `box ${String(n).padStart(5, '0')}`);
    await withDatabase(at(), async (knex) => {
      const identityKey = Buffer.from(bob.key);
      for (let n = 0; n < BOXES; n += ROWS_PER_STATEMENT) {
        const part = names.slice(n, n + ROWS_PER_STATEMENT);
        await knex('messageBox').insert(part.map((name) => ({ identityKey, type: Buffer.from(name) })));
      }
    });
    const ask = async (body: object, api: string) => {
      const answer = await bob.post(`${api}/boxStatus`, body);
      expect(answer.status).toBe(200);
      return answer.body as { boxes: { messageBox: string }[]; next?: string; hasMore?: true };
    };
    const seen: string[] = [];
    const sizes: number[] = [];
    let next: string | undefined;
    do {
      const api = at().apis[sizes.length % 2] as string;
      const page = await ask({ limit: 1_000, ...(next === undefined ? {} : { after: next }) }, api);
      sizes.push(page.boxes.length);
      seen.push(...page.boxes.map(({ messageBox }) => messageBox));
      next = page.next;
      expect(page.hasMore).toBe(next === undefined ? undefined : true);
    } while (next !== undefined);
    expect(sizes).toEqual(Array(10).fill(1_000));
    expect(seen).toEqual(names);
    expect((await ask({}, at().apis[0])).boxes).toHaveLength(100);
  }, 120_000);
}

describe('many boxes in standalone', () => manyBoxesSuite(deployStandalone));
describeScaled('many boxes in scaled services', () => manyBoxesSuite(deployScaled));
