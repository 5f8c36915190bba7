/**
 * The editions of the SockJS protocol 0.3 that servers follow. `latest` is the suite at the head of its repository, which
 * today's servers and clients were made with; `0.3.3` is the last one that was published under a number.
 * @see https://github.com/sockjs/sockjs-protocol
 */
export type SockjsEditionName = 'latest' | '0.3.3'

/** Where the editions differ; everything else is common to them. */
export interface SockjsEdition {
  /** `Cache-Control` of what belongs to a session. */
  readonly noCache: string
  readonly eventStreamType: string
  /** What the script of JSONP begins with. */
  readonly jsonpStart: string
  /** What a page without an origin of its own (`Origin: null`) is told that may use the answer. */
  readonly nullOrigin: '*' | 'null'
  /** Whether credentials are allowed to any page; else only to one that is named. */
  readonly credentialsForAll: boolean
  /** The scripts of the iframe page; `url` is where the client is. */
  readonly iframeScripts: (url: string) => string
}

export const SOCKJS_EDITIONS: Readonly<Record<SockjsEditionName, SockjsEdition>> = {
  latest: {
    // Without `no-transform` a proxy that compresses holds a stream back.
    noCache: 'no-store, no-cache, no-transform, must-revalidate, max-age=0',
    eventStreamType: 'text/event-stream',
    // So that no file format that begins with the chosen name can be made of the answer (CVE-2014-4671).
    jsonpStart: '/**/',
    // Browsers take `*` for no answer to a request with credentials (Fetch, "CORS check").
    nullOrigin: 'null',
    credentialsForAll: false,
    iframeScripts: url => `  <script src="${url}"></script>
  <script>
    document.domain = document.domain;
    SockJS.bootstrap_iframe();
  </script>`,
  },
  '0.3.3': {
    noCache: 'no-store, no-cache, must-revalidate, max-age=0',
    eventStreamType: 'text/event-stream; charset=UTF-8',
    jsonpStart: '',
    nullOrigin: '*',
    credentialsForAll: true,
    iframeScripts: url => `  <script>
    document.domain = document.domain;
    _sockjs_onload = function(){SockJS.bootstrap_iframe();};
  </script>
  <script src="${url}"></script>`,
  },
}
