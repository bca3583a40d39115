# A server
server {
    trust_domain = "example.org", bind_port = "8081"
    ca_ttl = "24h" // a day
    admin_ids = ["spiffe://example.org/a", "b",]
    ca_subject { country = ["US"] common_name = "a\tb\x41\u00e9" }
}
plugins {
    DataStore "sql" { plugin_data { database_type = "sqlite3" x = 0x1F y = 0755 z = -1.5e3 } }
    "NodeAttestor" "x509pop" { plugin_data = {} }
}
/* text */
text = <<-EOF
    one ${two "three"}
    EOF
other = <<EOT
 ${x}
EOT
list = [[1, 2], { a = true b = false }, "${f("x")}"]
