terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
locals {
  s = sensitive("hush")
  l = [local.s, "open"]
  o = { a = local.s, b = { c = local.s, d = 1 } }
}
resource "coder_agent" "x" {
  os = "linux"
  arch = "amd64"
  env = { A = local.s, B = "b" }
  startup_script = "x ${local.s}"
}
resource "terraform_data" "a" {
  input = local.o
  triggers_replace = local.l
}
resource "terraform_data" "b" { input = terraform_data.a.output.b.c }
resource "terraform_data" "c" { input = [for k, v in local.o : k] }
resource "terraform_data" "d" { input = coder_agent.x.env }
resource "terraform_data" "e" { input = toset([local.s, "q"]) }
