import { useId, useState } from "react";
import { Icon } from "./Icon";

export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1600);
  };
  return (
    <button type="button" className="button small copy" onClick={() => void copy()} aria-label={label} title={label}>
      <Icon name={copied ? "check" : "copy"} />
      <span className="visually-hidden" role="status">
        {copied ? "Copied" : ""}
      </span>
    </button>
  );
}

/** Pages that are not served through HTTPS have no clipboard interface. */
async function copyText(text: string) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export interface Snippet {
  name: string;
  text: string;
}

/** The same thing in several languages, each with a button that copies it. */
export function Snippets({ snippets, label }: { snippets: Snippet[]; label: string }) {
  const [chosen, choose] = useState(0);
  const id = useId();
  const snippet = snippets[Math.min(chosen, snippets.length - 1)];
  if (!snippet) return null;
  return (
    <div className="stack">
      <TabList label={label} id={id} tabs={snippets.map((one) => ({ key: one.name, label: one.name }))} chosen={chosen} choose={choose} />
      <div className="code" role="tabpanel" id={`${id}-panel`} aria-label={snippet.name}>
        <pre tabIndex={0}>
          <code>{snippet.text}</code>
        </pre>
        <CopyButton text={snippet.text} label={`Copy the ${snippet.name} code`} />
      </div>
    </div>
  );
}

interface Tab {
  key: string;
  label: string;
  n?: string;
}

export function TabList(props: { tabs: Tab[]; chosen: number; choose: (index: number) => void; label: string; id: string }) {
  const { tabs, chosen, choose } = props;
  const step = (by: number) => {
    const next = (chosen + by + tabs.length) % tabs.length;
    choose(next);
    document.getElementById(`${props.id}-${next}`)?.focus();
  };
  return (
    <div className="tabs" role="tablist" aria-label={props.label}>
      {tabs.map((tab, index) => (
        <button
          key={tab.key}
          id={`${props.id}-${index}`}
          type="button"
          role="tab"
          aria-selected={index === chosen}
          aria-controls={`${props.id}-panel`}
          tabIndex={index === chosen ? 0 : -1}
          onClick={() => choose(index)}
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") step(1);
            if (event.key === "ArrowLeft") step(-1);
          }}
        >
          {tab.label}
          {tab.n && <span className="n">{tab.n}</span>}
        </button>
      ))}
    </div>
  );
}
