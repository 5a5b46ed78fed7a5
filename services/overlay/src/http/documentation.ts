import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { TopicDescription } from '../topics/token-topic.js';

type Described = Readonly<Record<string, { readonly description: TopicDescription }>>;

/**
 * What this host serves, as overlay nodes tell it: names with a line each as JSON, and a page for each as Markdown. A
 * name that isn't served has a page that says so.
 */
export function documentationRoutes({ topics, lookups }: OverlayEngine, mayAsk: RequestHandler): Router {
  const routes = express.Router();
  routes.get('/listTopicManagers', mayAsk, (_request, response) => {
    response.json(listOf(topics));
  });
  routes.get('/listLookupServiceProviders', mayAsk, (_request, response) => {
    response.json(listOf(lookups));
  });
  routes.get('/getDocumentationForTopicManager', mayAsk, (request, response) => {
    sendPage(response, topics, request, 'manager');
  });
  routes.get('/getDocumentationForLookupServiceProvider', mayAsk, (request, response) => {
    sendPage(response, lookups, request, 'lookupService');
  });
  return routes;
}

function listOf(described: Described): Record<string, { name: string; shortDescription: string }> {
  return Object.fromEntries(
    Object.entries(described).map(([key, { description }]) => {
      const { name, shortDescription } = description;
      return [key, { name, shortDescription }];
    }),
  );
}

function sendPage(response: Response, described: Described, request: Request, parameter: string): void {
  const name = request.query[parameter];
  const found = typeof name === 'string' && Object.hasOwn(described, name) ? described[name] : undefined;
  const markdown = found?.description.documentation ?? 'No documentation found!';
  response.set('Content-Type', 'text/markdown; charset=utf-8').send(markdown);
}
