import { closedObject, integer, list, openObject, type Properties, schemaRef } from '../../schema.js';
import { MAX_FEE } from '../../schemas/common.js';
import { type Group, json } from '../operation.js';

const success = { const: 'success' };

/** Schemas of this group. */
export const feeSchemas: Properties = {
  DeliveryFee: closedObject({
    messageBox: schemaRef('BoxName'),
    deliveryFee: integer('Satoshis.', 0, MAX_FEE),
    updatedAt: schemaRef('Time'),
  }),
};

/** `/admin/fees`. */
export const fees: Group = {
  name: 'Operators: fees',
  description: 'What the server charges for a delivery, by the name of the box.',
  operations: [
    {
      method: 'get',
      path: '/admin/fees',
      operationId: 'listDeliveryFees',
      summary: 'List the delivery fees',
      access: 'operator',
      answers: {
        200: json(
          'All delivery fees, by the name of the box.',
          closedObject({ status: success, fees: list(schemaRef('DeliveryFee')) }),
        ),
      },
    },
    {
      method: 'put',
      path: '/admin/fees',
      operationId: 'setDeliveryFee',
      summary: 'Set the delivery fee of a box name',
      access: 'operator',
      body: {
        schema: openObject({
          messageBox: schemaRef('BoxName'),
          deliveryFee: integer('Satoshis.', 0, MAX_FEE),
        }),
        examples: { 'five satoshis': { messageBox: 'alerts', deliveryFee: 5 } },
      },
      answers: {
        200: json('The fee is set.', closedObject({ status: success, fee: schemaRef('DeliveryFee') })),
      },
      errors: ['ERR_INVALID_REQUEST', 'ERR_INVALID_FEE_VALUE', 'ERR_INVALID_MESSAGE_BOX'],
    },
  ],
};
