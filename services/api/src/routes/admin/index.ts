import type { AdminFeesOptions, NormaliseKey, StorageQuotas } from '@messagebox/messages';
import type { Config, IdentityNotices, InstanceStore, JobQueue, Logger, StatsHistory } from '@messagebox/shared';
import { type AuditLog, BlockedIdentities, type OwnAdvertisements, type SqlClient } from '@messagebox/store';
import type { IRouter, RequestHandler } from 'express';
import { getConfigRoute } from './get-config.js';
import { getFeesRoute } from './get-fees.js';
import { getStatsRoute } from './get-stats.js';
import { blockIdentityRoute, getIdentityRoute, purgeIdentityRoute, unblockIdentityRoute } from './identities.js';
import { listJobsRoute, retryJobRoute } from './jobs.js';
import { listAdvertisementsRoute } from './list-advertisements.js';
import { listAuditRoute } from './list-audit.js';
import { listInstancesRoute } from './list-instances.js';
import { listBoxesRoute, listSendersRoute } from './list-largest.js';
import { putFeesRoute } from './put-fees.js';
import { UsageSurveys } from './usage-surveys.js';

export interface AdminRoutesOptions {
  /** Authenticate administrators, for routes that read and for others. */
  readonly reading: RequestHandler[];
  readonly writing: RequestHandler[];
  readonly config: Config;
  readonly log: Logger;
  readonly sql: SqlClient;
  readonly audit: AuditLog;
  readonly ads: OwnAdvertisements;
  readonly jobs: JobQueue;
  readonly instances: InstanceStore;
  readonly history: StatsHistory;
  readonly notices: IdentityNotices;
  readonly quotas: StorageQuotas;
  readonly deliveryFees: AdminFeesOptions['deliveryFees'];
  readonly normaliseKey: NormaliseKey;
}

/** Adds the routes of operators, `/admin/*`. What changes something is recorded in the audit log. */
export function addAdminRoutes(routes: IRouter, options: AdminRoutesOptions): void {
  const { reading, writing, audit, sql, log, jobs, config } = options;
  const surveys = new UsageSurveys({ sql, log });
  const blocked = new BlockedIdentities(sql);
  const identities = { ...options, surveys, blocked, adminIdentityKeys: config.adminIdentityKeys };
  routes.get('/admin/fees', reading, getFeesRoute(options));
  routes.put('/admin/fees', writing, putFeesRoute(options));
  routes.get('/admin/stats', reading, getStatsRoute({ ...options, surveys }));
  routes.get('/admin/instances', reading, listInstancesRoute(options.instances));
  routes.get('/admin/boxes', reading, listBoxesRoute({ surveys, sql }));
  routes.get('/admin/senders', reading, listSendersRoute({ surveys }));
  routes.get('/admin/identities/:key', reading, getIdentityRoute(identities));
  routes.post('/admin/identities/:key/block', writing, blockIdentityRoute(identities));
  routes.post('/admin/identities/:key/unblock', writing, unblockIdentityRoute(identities));
  routes.post('/admin/identities/:key/purge', writing, purgeIdentityRoute(identities));
  routes.get('/admin/jobs', reading, listJobsRoute(jobs));
  routes.post('/admin/jobs/:id/retry', writing, retryJobRoute({ jobs, audit }));
  routes.get('/admin/advertisements', reading, listAdvertisementsRoute(options.ads));
  routes.get('/admin/config', reading, getConfigRoute(config));
  routes.get('/admin/audit', reading, listAuditRoute(audit));
}
