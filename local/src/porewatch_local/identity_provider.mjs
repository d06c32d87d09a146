// The local stand-in for Globus: `node identity_provider.mjs NODE_MODULES CONFIG KEYS`.
//
// A complete OpenID provider (oidc-provider), as strict as Globus where it matters: ID tokens signed by RS512 with
// a `kid`, client_secret_basic alone, PKCE required. It asks no password: its page lets one choose a made-up person.
// Without https, so on the loopback address only. The signing key is made once and kept in KEYS.
import { createHash, generateKeyPairSync, randomUUID } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, configFile, keysFile] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(modules, "oidc-provider/lib/index.js")));
const config = JSON.parse(readFileSync(configFile, "utf8"));
const { host, port, issuer, users } = config;
const AUTHORIZE = "/v2/oauth2/authorize";

function signingKeys() {
  if (!existsSync(keysFile)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS512", use: "sig" };
    writeFileSync(`${keysFile}.part`, JSON.stringify({ keys: [key] }), { mode: 0o600 });
    renameSync(`${keysFile}.part`, keysFile);
  }
  return JSON.parse(readFileSync(keysFile, "utf8"));
}

const provider = new Provider(issuer, {
  clients: [{
    client_id: config.client_id,
    client_secret: config.client_secret,
    redirect_uris: [`http://${host}/`],
    token_endpoint_auth_method: "client_secret_basic",
    id_token_signed_response_alg: "RS512",
  }],
  jwks: signingKeys(),
  enabledJWA: { idTokenSigningAlgValues: ["RS512"] },
  clientAuthMethods: ["client_secret_basic"],
  pkce: { required: () => true },
  responseTypes: ["code"],
  scopes: ["openid", "email", "profile"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
  conformIdTokenClaims: false, // Globus puts all claims into the ID token
  routes: { authorization: AUTHORIZE, token: "/v2/oauth2/token", userinfo: "/v2/oauth2/userinfo", jwks: "/jwk.json" },
  cookies: { keys: [config.cookie_key] },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, Grant: 3600, IdToken: 3600, Interaction: 3600, Session: 3600 },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: false } },
  interactions: { url: (_, { uid }) => `/sign-in/${uid}` },
  findAccount: (_, id) => {
    const user = users.find(({ sub }) => sub === id);
    return user && { accountId: id, claims: () => ({ sub: id, email: user.email, email_verified: user.email_verified, name: user.name, preferred_username: user.email }) };
  },
  // Nobody is asked for consent.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid email profile");
    await grant.save();
    return grant;
  },
  renderError: (context, { error, error_description: detail }) => {
    context.type = "html";
    context.set(SAFE_HEADERS);
    context.body = page("Sign-in stopped", `<p><strong>${escaped(error)}</strong>: ${escaped(detail ?? "")}</p>`);
  },
});
// The address of the function changes with each home: any path on the loopback address will do.
provider.Client.prototype.redirectUriAllowed = (address) => {
  const url = URL.parse(address);
  return url?.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
};

const STYLE = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 0 auto; padding: 2rem 1rem; background: Canvas; color: CanvasText; }
.stand-in { border: 1px solid; border-radius: .5rem; padding: .75rem 1rem; }
ul { list-style: none; padding: 0; }
button { font: inherit; width: 100%; text-align: start; padding: .75rem 1rem; margin-block: .25rem; border: 1px solid; border-radius: .5rem; background: Canvas; color: CanvasText; cursor: pointer; }
button:hover { text-decoration: underline; }
button:focus-visible { outline: 3px solid; outline-offset: 3px; }
strong, span { display: block; overflow-wrap: anywhere; }
.stand-in strong { display: inline; }
`;
const SAFE_HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  // Browsers hold redirects after a form to form-action, too: Porewatch is at another port.
  "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; form-action 'self' http://127.0.0.1:* http://localhost:*; frame-ancestors 'none'; base-uri 'none'`,
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

function page(title, body) {
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title} · local stand-in</title><style>${STYLE}</style></head>
<body><main>
<h1>${title}</h1>
<p class="stand-in"><strong>This is not Globus.</strong> It is the local stand-in on your own machine. The people are made up, and there are no passwords.</p>
${body}
</main></body>
</html>
`;
}

function choices(uid) {
  const buttons = users.map(({ sub, name, email, email_verified, about }) => `<li><button name="sub" value="${escaped(sub)}"><strong>${escaped(name)}</strong><span>${escaped(about)}</span><span>${escaped(email)}${email_verified ? "" : " (not verified)"}</span></button></li>`);
  return page("Sign in to Porewatch", `<form method="post" action="/sign-in/${escaped(uid)}" aria-label="People">
<ul>
${buttons.join("\n")}
<li><button name="sub" value=""><strong>Nobody</strong><span>Cancel the sign-in</span></button></li>
</ul>
</form>`);
}

async function chosen(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > 1000) break;
  }
  return new URLSearchParams(text).get("sub");
}

async function signIn(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== "POST") {
    response.writeHead(200, SAFE_HEADERS).end(choices(uid));
    return;
  }
  const sub = await chosen(request);
  const known = users.some((user) => user.sub === sub);
  const result = known ? { login: { accountId: sub, remember: false } } : { error: "access_denied", error_description: "nobody was chosen" };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith("/sign-in/")) {
    // Nobody stays signed in here: a stand-in is there to try several people.
    request.headers.cookie = (request.headers.cookie ?? "").split("; ").filter((c) => !c.startsWith("_session")).join("; ");
    answer(request, response);
    return;
  }
  signIn(request, response).catch((error) => {
    console.error(error);
    response.writeHead(400, SAFE_HEADERS).end(page("Sign-in stopped", "<p>This sign-in has ended. Go back to Porewatch and begin again.</p>"));
  });
}).listen(port, host, () => console.log(`identity provider at ${issuer}`));
