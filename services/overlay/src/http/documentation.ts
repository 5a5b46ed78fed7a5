import express, { type Request, type RequestHandler, type Response, type Router } from 'express';
import type { OverlayEngine } from '../engine/overlay-engine.js';

/**
 * What this host serves, as overlay nodes tell it: names with a line each as JSON, and a page for each as Markdown. A
 * name that isn't served has a page that says so.
 */
export function documentationRoutes(engine: OverlayEngine, mayAsk: RequestHandler): Router {
  const routes = express.Router();
  routes.get('/listTopicManagers', mayAsk, async (_request, response) => {
    response.json(await engine.listTopicManagers());
  });
  routes.get('/listLookupServiceProviders', mayAsk, async (_request, response) => {
    response.json(await engine.listLookupServiceProviders());
  });
  routes.get('/getDocumentationForTopicManager', mayAsk, async (request, response) => {
    sendPage(response, await engine.getDocumentationForTopicManager(parameter(request, 'manager')));
  });
  routes.get('/getDocumentationForLookupServiceProvider', mayAsk, async (request, response) => {
    sendPage(response, await engine.getDocumentationForLookupServiceProvider(parameter(request, 'lookupService')));
  });
  return routes;
}

function parameter(request: Request, name: string): string {
  const value = request.query[name];
  return typeof value === 'string' ? value : '';
}

function sendPage(response: Response, markdown: string): void {
  response.set('Content-Type', 'text/markdown; charset=utf-8').send(markdown);
}
