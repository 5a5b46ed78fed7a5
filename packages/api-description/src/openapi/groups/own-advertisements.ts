import { closedObject, integer, list, type Properties, schemaRef, text } from '../../schema.js';
import { type Group, json, type Operation } from '../operation.js';

const success = { const: 'success' };

/** Schemas of this group. */
export const ownAdvertisementSchemas: Properties = {
  Job: closedObject(
    {
      id: text('Of the job.'),
      name: text('What it does.'),
      state: { enum: ['waiting', 'delayed', 'active', 'completed', 'failed'] },
      attempts: integer('Attempts that have ended.', 0),
      result: { description: 'What it has done, once it is completed.' },
      reason: text('Why it, or its last attempt, failed.'),
      addedAt: schemaRef('Time'),
      finishedAt: schemaRef('Time'),
    },
    ['result', 'reason', 'finishedAt'],
  ),
  OwnAdvertisement: closedObject({
    protocol: { enum: ['SHIP', 'SLAP'] },
    name: text('The topic or the lookup service.'),
    domain: text('The origin that is advertised.'),
    txid: schemaRef('Txid'),
    outputIndex: integer('From 0.', 0),
    createdAt: schemaRef('Time'),
  }),
};

const addJob = (name: string, operationId: string, summary: string): Operation => ({
  method: 'post',
  path: `/overlay/${name}`,
  operationId,
  summary,
  description: 'The overlay service does the work. The body of the request is ignored.',
  access: 'operator',
  answers: {
    202: json('The job is added.', closedObject({ status: success, jobId: text('For `GET /overlay/jobs/{id}`.') }), {
      links: { job: { operationId: 'getJob', parameters: { id: '$response.body#/jobId' } } },
    }),
  },
  errors: ['ERR_JOBS_UNAVAILABLE'],
});

/** `/overlay/*`. */
export const ownAdvertisements: Group = {
  name: 'Operators: overlay',
  description: 'How this host advertises itself on the overlay network.',
  operations: [
    addJob('advertise', 'advertiseHost', 'Advertise this host'),
    addJob('revoke', 'revokeAdvertisements', 'Revoke the advertisements of this host'),
    addJob('rebroadcast', 'rebroadcastAdvertisements', 'Show the same transactions to the trackers again'),
    {
      method: 'get',
      path: '/overlay/jobs/{id}',
      operationId: 'getJob',
      summary: 'See what became of a job',
      access: 'operator',
      parameters: [
        { in: 'path', name: 'id', description: 'The `jobId` of an answer.', schema: { type: 'string', minLength: 1 } },
      ],
      answers: { 200: json('The job.', closedObject({ status: success, job: schemaRef('Job') })) },
      errors: ['ERR_JOB_NOT_FOUND', 'ERR_JOBS_UNAVAILABLE'],
    },
    {
      method: 'get',
      path: '/overlay/ads',
      operationId: 'listOwnAdvertisements',
      summary: 'List the advertisements of this host',
      access: 'operator',
      answers: {
        200: json(
          'Those that are not revoked, oldest first.',
          closedObject({ status: success, ads: list(schemaRef('OwnAdvertisement')) }),
        ),
      },
    },
  ],
};
