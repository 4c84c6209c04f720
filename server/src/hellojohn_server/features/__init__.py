"""One folder a feature: routes, service, repository, schemas, errors, events. In the order of docs/adr/0002."""
