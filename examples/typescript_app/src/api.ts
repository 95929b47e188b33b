/** The API's client: `schema.d.ts` says what there is, so that the compiler checks every path, parameter and field. */

import createClient from "openapi-fetch";
import type { paths } from "./schema";

/** Where your app mounts the API; the page's own server answers there, and adds what the API asks for. */
export const api = createClient<paths>({ baseUrl: "/api" });
