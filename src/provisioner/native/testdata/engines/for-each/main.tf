terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
data "coder_workspace" "me" {}
data "coder_workspace_owner" "me" {}
locals {
  names = ["a", "b", "c"]
  m     = { for i, n in local.names : n => { idx = i, up = upper(n) } }
}
resource "coder_agent" "dev" {
  os = "linux"
  arch = "amd64"
  env = { IDX = tostring(length(local.m)), WHO = data.coder_workspace_owner.me.name }
  dynamic "metadata" {
    for_each = { for k, v in local.m : k => v if v.idx < 2 }
    content {
      key = metadata.key
      script = "echo ${metadata.value.up}"
      interval = 10 + metadata.value.idx
    }
  }
}
resource "terraform_data" "host" {
  for_each = local.m
  input = { tok = coder_agent.dev.token, list = keys(local.m), e = each.value }
}
resource "coder_app" "x" {
  for_each = local.m
  agent_id = coder_agent.dev.id
  slug = "app-${each.key}"
  url = "http://localhost:${8000 + index(local.names, each.key)}"
  healthcheck {
    url = "http://x"
    interval = 3
    threshold = 5
  }
}
output "toks" {
  value = [for a in terraform_data.host : a.input.e]
}
output "sens" {
  sensitive = true
  value = { for k, a in terraform_data.host : k => a.input.tok }
}
