import { Component, type ReactNode } from "react";
import { Notice } from "./Notice";

/** Keeps a fault in one view from taking the page down. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  state = { error: null as Error | null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  render() {
    if (!this.state.error) return this.props.children;
    if (/import|fetch|load/i.test(this.state.error.message))
      return (
        <Notice title="The server does not answer" bad>
          <p>Part of the page could not be loaded. The server may have been stopped or renewed, or the network is down.</p>
          <button type="button" className="button" onClick={() => window.location.reload()}>
            Try again
          </button>
        </Notice>
      );
    return (
      <Notice title="This view has failed" bad>
        <p>Reload the page. If that does not help, report this text:</p>
        <p className="detail">{String(this.state.error)}</p>
        <button type="button" className="button" onClick={() => window.location.reload()}>
          Reload
        </button>
      </Notice>
    );
  }
}
