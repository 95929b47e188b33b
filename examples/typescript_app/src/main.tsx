import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Page } from "./Page";
import "./page.css";

const root = document.getElementById("page");
if (!root) throw new Error("index.html has no #page");
createRoot(root).render(
  <StrictMode>
    <Page memberId={new URLSearchParams(location.search).get("member")} />
  </StrictMode>,
);
