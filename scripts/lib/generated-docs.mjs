// The files that `npm run docs` writes.
import { configurationPage, envExample } from './configuration-docs.mjs';
import { withDependencyTables } from './dependency-tables.mjs';
import { errorCatalogueModule } from './error-catalogue.mjs';
import { withLimitTables } from './limits-tables.mjs';
import { withPackageGraph } from './package-graph.mjs';
import { prometheusRule } from './prometheus-rule.mjs';

/**
 * Each file, by its path in the repository, with the function that makes its new text of the old one.
 *
 * @param {import('./generated-docs.mjs').ConfigurationModule} configuration
 * @param {import('./generated-docs.mjs').DescriptionModule} description
 * @returns {Record<string, (text: string) => string>}
 */
export function generatedDocs(configuration, description) {
  const toJson = (/** @type {object} */ document) => `${JSON.stringify(document, null, 2)}\n`;
  const { commonLimits, databaseClientAliases, describeLimits, describeVariables, networkAliases, secretVariables } =
    configuration;
  const facts = {
    variables: describeVariables(),
    limits: describeLimits(),
    commonLimits,
    secrets: secretVariables,
    aliases: { NETWORK: networkAliases, KNEX_DB_CLIENT: databaseClientAliases },
  };
  return {
    'packages/api-description/src/errors/catalogue.ts': errorCatalogueModule,
    'docs/openapi.json': () => toJson(description.createOpenApiDocument()),
    'docs/asyncapi.json': () => toJson(description.createAsyncApiDocument()),
    'docs/architecture.md': withPackageGraph,
    'docs/configuration.md': () => configurationPage(facts),
    'docs/dependencies.md': withDependencyTables,
    'docs/limits.md': (text) => withLimitTables(text, facts.limits),
    '.env.example': () => envExample(facts),
    'k8s/components/prometheus-rule/prometheus-rule.yaml': prometheusRule,
  };
}
