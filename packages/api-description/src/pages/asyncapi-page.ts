import { clientEvents } from '../asyncapi/client-events.js';
import type { LiveEvent } from '../asyncapi/event.js';
import { frameSchemas, frameSummaries } from '../asyncapi/frames.js';
import { serverEvents } from '../asyncapi/server-events.js';
import type { Json, JsonObject } from '../json.js';
import { escapeHtml, renderPage, renderText } from './page.js';

/** The page that shows `asyncapi.json`. It is plain HTML without scripts. */
export function renderAsyncApiPage(document: JsonObject): string {
  const { description } = document['info'] as { readonly description: string };
  const { schemas } = document['components'] as { readonly schemas: JsonObject };
  return renderPage({
    title: 'MessageBox: live events',
    current: 'live',
    body: `<main class="live">
<h1>Live events</h1>
${renderText(description)}
<h2 id="client">Events of a client</h2>
${clientEvents.map((event) => renderEvent(event, event.answers)).join('\n')}
<h2 id="server">Events of the server</h2>
${serverEvents.map((event) => renderEvent(event)).join('\n')}
<h2 id="frames">Frames</h2>
${Object.entries(frameSummaries)
  .map(([key, summary]) => renderSection(key, key, summary, '', frameSchemas[key] ?? {}))
  .join('\n')}
<h2 id="schemas">Schemas</h2>
${Object.entries(schemas)
  .filter(([key]) => !(key in frameSchemas))
  .map(([key, schema]) => renderSection(key, key, '', '', schema as JsonObject))
  .join('\n')}
</main>`,
  });
}

function renderEvent(event: LiveEvent, answers: readonly string[] = []): string {
  const { key, name, summary, description, data, examples = [] } = event;
  const answered = answers.map((answer) => `<a href="#${answer}"><code>${escapeHtml(nameOf(answer))}</code></a>`);
  const more = [
    description === undefined ? '' : renderText(description),
    answered.length === 0 ? '' : `<p>Answered with ${answered.join(', ')}.</p>`,
    ...examples.map((example) => `<p>Example:</p>${renderJson(example)}`),
  ].join('\n');
  return renderSection(key, name, summary, more, data);
}

function nameOf(key: string): string {
  return serverEvents.find((event) => event.key === key)?.name ?? key;
}

function renderSection(id: string, name: string, summary: string, more: string, schema: JsonObject): string {
  const { description, ...rest } = schema;
  return `<section id="${id}">
<h3><code>${escapeHtml(name)}</code></h3>
${summary === '' ? '' : `<p>${escapeHtml(summary)}.</p>`}
${typeof description === 'string' ? renderText(description) : ''}
${more}
<details><summary>Schema</summary>${renderJson(rest)}</details>
</section>`;
}

/** JSON, in which references to schemas are links. */
function renderJson(value: Json): string {
  const text = escapeHtml(JSON.stringify(value, null, 2));
  const linked = text.replaceAll(
    /&quot;#\/components\/schemas\/(\w+)&quot;/g,
    '<a href="#$1">&quot;#/components/schemas/$1&quot;</a>',
  );
  return `<pre tabindex="0"><code>${linked}</code></pre>`;
}
