import { type Config, VERSION } from '@messagebox/shared';
import type { RequestHandler } from 'express';

/** `GET /admin/config`: the configuration of the instance that answers, without secrets. */
export function getConfigRoute(config: Config): RequestHandler {
  return (_request, response) => {
    response.json({ status: 'success', version: VERSION, settings: config.settings });
  };
}
