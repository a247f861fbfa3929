// Starts the viewer of the API reference. It loads nothing from another host.

// Some parts of the viewer add style sheets without the nonce that the page's policy requires.
const { content: nonce } = document.querySelector('meta[property="csp-nonce"]');
const createElement = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = createElement(name, options);
  if (name === "style") element.nonce = nonce;
  return element;
};

// The viewer, the next script, defines Scalar.
addEventListener("DOMContentLoaded", () => {
  Scalar.createApiReference("#reference", {
    url: "/openapi.json",
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    showDeveloperTools: "never",
    hideClientButton: true,
    persistAuth: true,
    authentication: { preferredSecurityScheme: "APIKeyHeader" },
    hiddenClients: true,  // the samples of the document: curl, Python, TypeScript
    hideModels: true,
    documentDownloadType: "json",
  });
});
