import http from "node:http";
import https from "node:https";
import type { ClientTls } from "./certificates.js";

/** A request to a test server, over a connection of its own. */
export interface TestRequest {
  method?: string | undefined;
  headers?: Record<string, string> | undefined;
  body?: string | undefined;
  tls?: ClientTls | undefined;
  /** Default 2,000. */
  timeoutMs?: number | undefined;
}

/** What came back. */
export interface TestResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** One HTTP request. Any status is an answer; only a failed connection or the timeout throws. */
export function httpRequest(url: string, request: TestRequest = {}): Promise<TestResponse> {
  const { method = "GET", headers = {}, body, tls, timeoutMs = 2_000 } = request;
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs), ...tls };
    const sent = (url.startsWith("https:") ? https : http).request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** A request that must succeed: throws when the status is not 2xx. Returns the body. */
export async function httpOk(url: string, request: TestRequest = {}): Promise<string> {
  const { status, text } = await httpRequest(url, request);
  if (status < 200 || status > 299) throw new Error(`${request.method ?? "GET"} ${url} answered ${status}: ${text}`);
  return text;
}
