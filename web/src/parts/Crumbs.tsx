import { href } from "../lib/router";
import { Link } from "./Link";

/** The way from the root to a file or folder. */
export function Crumbs({ path, isFolder = false }: { path: string; isFolder?: boolean }) {
  const parts = path.split("/").filter(Boolean);
  if (parts.length === 0) return null;
  return (
    <nav className="crumbs" aria-label="Path">
      <Link href={href("browse")}>Catalogue</Link>
      {parts.map((part, index) => {
        const to = parts.slice(0, index + 1).join("/");
        const isLast = index === parts.length - 1;
        return (
          <span key={to} className="row" style={{ gap: 8 }}>
            <span aria-hidden="true">/</span>
            {isLast ? <span aria-current="page">{part}</span> : <Link href={href(isFolder || !isLast ? "browse" : "file", to)}>{part}</Link>}
          </span>
        );
      })}
    </nav>
  );
}
