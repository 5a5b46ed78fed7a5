import { createAsyncApiDocument, createOpenApiDocument } from '@messagebox/api-description';
import { addWireObserver } from '@messagebox/test-kit/wire-observers';
import { HttpContract } from './http-contract.ts';
import { LiveContract } from './live-contract.ts';
import { observeFetch } from './observe-fetch.ts';
import { DocumentSchemas } from './schemas.ts';

const MAX_SHOWN = 20;

/** From now on, a test in which something goes over the wire that is not described fails. */
export function holdToContract(): void {
  const http = new HttpContract(new DocumentSchemas(createOpenApiDocument()));
  const live = new LiveContract(new DocumentSchemas(createAsyncApiDocument()));
  const problems = new Set<string>();
  const note = (where: string, found: readonly string[]) => {
    for (const problem of found) problems.add(`${where}: ${problem}`);
  };
  addWireObserver({
    onExchange(exchange) {
      const { method, target, status } = exchange;
      note(`${method} ${target.slice(0, 200)} → ${status}`, http.findProblems(exchange));
    },
    onSocketEvent(event) {
      note(`live, ${event.direction}`, live.findProblems(event));
    },
  });
  const untilRead = observeFetch();
  afterEach(async () => {
    await untilRead();
    const found = [...problems];
    problems.clear();
    if (found.length > 0) {
      throw new Error(`This is not as the description of the API has it:\n${found.slice(0, MAX_SHOWN).join('\n')}`);
    }
  });
}
