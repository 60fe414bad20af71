/** Who we are on the wire. Stock clients compare major.minor of the version; what follows `+` is ours. */
export const version = "v2.34.5+ts1";
/** Versions of the RPC APIs that we speak (server side: same major, client minor at most this). */
export const agentApiVersion = "2.9";
export const provisionerApiVersion = "1.18";
