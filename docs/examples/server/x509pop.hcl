# The settings of NodeAttestor "x509pop", for plugin-data-file.conf.
ca_bundle_path = "datacenter-a.pem"
