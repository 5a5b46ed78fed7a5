import { createOpenApiDocument, type JsonObject } from '@messagebox/api-description';
import express from 'express';
import { startServer } from '../bad-input/server.ts';

/** Routers ask this for each of their routes, those of the api and the overlay alike. */
const routerPrototype = express.Router.prototype as {
  route(path: string): { readonly methods: Readonly<Record<string, boolean>> };
};

/** Answered by handlers without a route. */
const WITHOUT_ROUTE = ['GET /health', 'GET /health/live', 'GET /health/ready', 'GET /ready'];
/** What the description is browsed with, and the console. */
const FILES = ['GET /docs/:file', 'GET /docs/live', 'GET /console', 'GET /^\\/console\\/(.*)$/'];

test('the description has exactly the routes that the api and the overlay serve', async () => {
  const asked = jest.spyOn(routerPrototype, 'route');
  const server = await startServer({ NETWORK: 'local' });
  await server.close();
  const served = asked.mock.calls.flatMap(([path], i) => {
    const route = asked.mock.results[i]?.value as ReturnType<typeof routerPrototype.route> | undefined;
    return Object.keys(route?.methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`);
  });
  asked.mockRestore();
  const described = Object.entries(createOpenApiDocument()['paths'] as Record<string, JsonObject>).flatMap(
    ([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(served.length).toBeGreaterThan(20);
  expect([...new Set([...served, ...WITHOUT_ROUTE])].sort()).toEqual([...described, ...FILES].sort());
});
