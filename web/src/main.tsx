import { createRoot } from "react-dom/client";
import { App } from "./app";
import { applyTheme } from "./lib/theme";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/catalogue.css";
import "./styles/file.css";

applyTheme();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
