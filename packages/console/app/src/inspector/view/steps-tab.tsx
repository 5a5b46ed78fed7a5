import { CopyButton } from '../../ui/copy-button.js';
import type { Explanation, Fact, Step } from '../explain/steps.js';
import { HexView } from './hex-view.js';

/** A decrypted body can be long. The copy button has all of it. */
const MAX_SHOWN_CHARACTERS = 2_000;

/** What happened, step by step. */
export function StepsTab({ explanation }: { readonly explanation: Explanation }) {
  return (
    <ol class="steps">
      {explanation.steps.map((step, i) => (
        // Steps have no other name, and their order does not change.
        <StepItem key={i} step={step} />
      ))}
    </ol>
  );
}

function StepItem({ step }: { readonly step: Step }) {
  return (
    <li class="step" data-verified={step.verified}>
      <div class="step-head">
        <h3>{step.title}</h3>
        {step.verified !== undefined && (
          <span class="step-mark">
            <span aria-hidden="true">{step.verified ? '✓' : '✕'}</span> {step.verified ? 'Verified' : 'Failed'}
          </span>
        )}
      </div>
      <p>{step.text}</p>
      {step.facts.length > 0 && (
        <dl class="step-facts">
          {step.facts.map((fact) => (
            <FactItem key={fact.label} fact={fact} />
          ))}
        </dl>
      )}
      {step.bytes?.map(({ title, content }) => (
        <details key={title} class="step-bytes">
          <summary>
            {title} <span class="quiet">({content.bytes.length + content.missingBytes} bytes)</span>
          </summary>
          <HexView content={content} title={title} />
        </details>
      ))}
    </li>
  );
}

function FactItem({ fact: { label, value, form } }: { readonly fact: Fact }) {
  return (
    <div class="step-fact">
      <dt>{label}</dt>
      <dd>
        {form === 'code' ? (
          <>
            <code>{value.length > MAX_SHOWN_CHARACTERS ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}…` : value}</code>
            <CopyButton text={value} what={label} />
          </>
        ) : (
          value
        )}
      </dd>
    </div>
  );
}
