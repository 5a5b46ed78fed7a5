import { describeWithMysql } from '../../../tests/support/with-mysql.ts';
import { openChain } from '../src/index.js';
import { mysqlDatabase } from './databases.js';
import { localChainSuite } from './local-chain-suite.js';

describeWithMysql('the local chain on MySQL', () => {
  localChainSuite(mysqlDatabase);

  test('several processes that are the first make one chain', async () => {
    const { config, remove } = await mysqlDatabase();
    const chains = [1, 2, 3].map(() => openChain({ network: 'local', database: config }));
    const heights = await Promise.all(chains.map(async (chain) => (await chain.tracker()).currentHeight()));
    expect(heights).toEqual([100, 100, 100]);
    await Promise.all(chains.map((chain) => chain.close()));
    await remove();
  });
});
