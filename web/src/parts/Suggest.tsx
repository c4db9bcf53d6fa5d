import { useId, useRef, useState } from "react";

export interface Suggestion {
  text: string;
  note?: string;
}

interface Props {
  label: string;
  value: string;
  onChange: (value: string) => void;
  suggestions: Suggestion[];
  /** The characters that belong to a word. */
  word: RegExp;
  placeholder?: string;
  name: string;
  failed?: boolean;
}

const SHOWN = 8;

/** A text field that completes the word at the cursor. */
export function Suggest({ label, value, onChange, suggestions, word, placeholder, name, failed }: Props) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const [cursor, setCursor] = useState(value.length);
  const begin = wordBegin(value, cursor, word);
  const typed = value.slice(begin, cursor).toLowerCase();
  const found = suggestions.filter(({ text }) => text.toLowerCase().includes(typed) && text.toLowerCase() !== typed);
  const ranked = [...found].sort((a, b) => rank(a.text, typed) - rank(b.text, typed)).slice(0, SHOWN);
  const isOpen = open && ranked.length > 0 && (typed.length > 0 || value === "");

  const take = (suggestion: Suggestion) => {
    onChange(value.slice(0, begin) + suggestion.text + value.slice(cursor));
    const at = begin + suggestion.text.length;
    setCursor(at);
    setOpen(false);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(at, at);
    });
  };
  return (
    <div className="suggest">
      <label className="field-label">
        {label}
        <input
          ref={input}
          className={failed ? "input mono failed" : "input mono"}
          name={name}
          value={value}
          placeholder={placeholder}
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={isOpen ? `${id}-${active}` : undefined}
          aria-invalid={failed || undefined}
          onChange={(event) => {
            onChange(event.target.value);
            setCursor(event.target.selectionStart ?? event.target.value.length);
            setActive(0);
            setOpen(true);
          }}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? value.length)}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={(event) => {
            if (!isOpen) return;
            if (event.key === "ArrowDown" || event.key === "ArrowUp") {
              event.preventDefault();
              setActive((active + (event.key === "ArrowDown" ? 1 : ranked.length - 1)) % ranked.length);
            } else if (event.key === "Enter" || event.key === "Tab") {
              const chosen = ranked[active];
              if (!chosen || typed === "") return;
              event.preventDefault();
              take(chosen);
            } else if (event.key === "Escape") setOpen(false);
          }}
        />
      </label>
      <ul id={`${id}-list`} className="suggestions" role="listbox" aria-label={`${label}: suggestions`} hidden={!isOpen}>
        {ranked.map((one, index) => (
          <li
            key={one.text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            onMouseDown={(event) => {
              event.preventDefault();
              take(one);
            }}
          >
            <span>{one.text}</span>
            <small>{one.note}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}

function wordBegin(value: string, cursor: number, word: RegExp): number {
  let begin = cursor;
  while (begin > 0 && word.test(value.charAt(begin - 1))) begin--;
  return begin;
}

function rank(text: string, typed: string): number {
  const at = text.toLowerCase().indexOf(typed);
  return at === 0 ? 0 : text.charAt(at - 1) === "." ? 1 : 2;
}
