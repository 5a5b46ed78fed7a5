import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';
import type { TopicDescription } from '../topics/token-topic.js';

type Described = Readonly<Record<string, { readonly description: TopicDescription }>>;

/**
 * Serves the lists of topics and lookup services in JSON, and a page of documentation for each in Markdown, with the
 * paths of other overlay nodes. An unknown name is answered with a page that says so.
 */
export function createDocumentationRoutes({ topics, lookups }: OverlayEngine, mayAsk: RequestHandler): Router {
  const routes = express.Router();
  routes.get('/listTopicManagers', mayAsk, (_request, response) => {
    response.json(summarizeServices(topics));
  });
  routes.get('/listLookupServiceProviders', mayAsk, (_request, response) => {
    response.json(summarizeServices(lookups));
  });
  routes.get('/getDocumentationForTopicManager', mayAsk, (request, response) => {
    sendDocumentation(response, topics, request, 'manager');
  });
  routes.get('/getDocumentationForLookupServiceProvider', mayAsk, (request, response) => {
    sendDocumentation(response, lookups, request, 'lookupService');
  });
  return routes;
}

function summarizeServices(described: Described): Record<string, { name: string; shortDescription: string }> {
  return Object.fromEntries(
    Object.entries(described).map(([key, { description }]) => {
      const { name, shortDescription } = description;
      return [key, { name, shortDescription }];
    }),
  );
}

function sendDocumentation(response: Response, described: Described, request: Request, parameter: string): void {
  const name = request.query[parameter];
  const found = typeof name === 'string' && Object.hasOwn(described, name) ? described[name] : undefined;
  const markdown = found?.description.documentation ?? 'No documentation found!';
  response.set('Content-Type', 'text/markdown; charset=utf-8').send(markdown);
}
